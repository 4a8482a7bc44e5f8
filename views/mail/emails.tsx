import type { OverReason } from '../../plugins/billing/contract.ts'
import { stopReasons } from '../billing/stop-reasons.ts'
import { Action, Dates, dayWords, type Email, EmailLayout, Paragraph } from './email.tsx'

/** The instance that an email is about. */
export interface About {
  subdomain: string
  /** The instance's own address. */
  url: string
}

/** What happens next if the owner does nothing, in order. */
export type Ladder = readonly { at: number; what: string }[]

/** The instance is ready. Never contains a password: other people may read an owner's mail. */
export function welcome({ subdomain, url, trialEndsAt }: About & { trialEndsAt: number | null }): Email {
  return {
    subject: `${subdomain} is ready`,
    body: (
      <EmailLayout title="Your instance is ready">
        <Paragraph>
          Save a job there, and it runs on its schedule, in your time zone, around the clock.
        </Paragraph>
        <Action href={url}>Open your instance</Action>
        {trialEndsAt === null ? null : (
          <Paragraph>
            {`Your free trial lasts until ${dayWords(trialEndsAt)} and needs no card. Without a plan, the instance stops when the trial ends. Everything in it is kept.`}
          </Paragraph>
        )}
      </EmailLayout>
    ),
  }
}

export function trialEnding({
  subdomain,
  endsAt,
  billingUrl,
}: About & { endsAt: number; billingUrl: string }): Email {
  return {
    subject: `The trial of ${subdomain} ends on ${dayWords(endsAt)}`,
    body: (
      <EmailLayout title={`Your trial ends on ${dayWords(endsAt)}`}>
        <Paragraph>
          Choose a plan to keep your instance running. Without a plan, it stops when the trial ends, and no
          jobs run. Everything in it is kept.
        </Paragraph>
        <Action href={billingUrl}>Choose a plan</Action>
      </EmailLayout>
    ),
  }
}

export function paymentFailed({
  subdomain,
  ladder,
  billingUrl,
}: About & { ladder: Ladder; billingUrl: string }): Email {
  return {
    subject: `A payment for ${subdomain} failed`,
    body: (
      <EmailLayout title="A payment failed">
        <Paragraph>
          Your instance keeps running for now. The payment is retried automatically; changing the card may
          help. If the payment keeps failing:
        </Paragraph>
        <Dates of={ladder} />
        <Action href={billingUrl}>Pay or change the card</Action>
      </EmailLayout>
    ),
  }
}

/** The operator has ended the account's exemption from payment. */
export function exemptionEnded({
  subdomain,
  ladder,
  billingUrl,
}: About & { ladder: Ladder; billingUrl: string }): Email {
  return {
    subject: `${subdomain} needs a plan from now on`,
    body: (
      <EmailLayout title="Your instance needs a plan from now on">
        <Paragraph>
          Your account is no longer exempt from payment. Your instance keeps running for now. If you do not
          choose a plan:
        </Paragraph>
        <Dates of={ladder} />
        <Action href={billingUrl}>Choose a plan</Action>
      </EmailLayout>
    ),
  }
}

export function stopped(of: About & { reason: OverReason; ladder: Ladder; billingUrl: string }): Email {
  const { subdomain, reason, ladder, billingUrl } = of
  return {
    subject: `${subdomain} has stopped`,
    body: (
      <EmailLayout title="Your instance has stopped">
        <Paragraph>
          {`${stopReasons[reason]} No jobs run. Your jobs, their history and all other data are kept, and everything comes back once you pay. If you do not pay:`}
        </Paragraph>
        <Dates of={ladder} />
        <Action href={billingUrl}>See your plan</Action>
      </EmailLayout>
    ),
  }
}

/** `purgeAt` is when the data is deleted for good. */
export function deletionAhead({
  subdomain,
  purgeAt,
  billingUrl,
}: About & { purgeAt: number; billingUrl: string }): Email {
  return {
    subject: `The data of ${subdomain} will be deleted on ${dayWords(purgeAt)}`,
    body: (
      <EmailLayout title={`Your data will be deleted on ${dayWords(purgeAt)}`}>
        <Paragraph>
          {`The instance ${subdomain} was removed, and its data is still kept. On ${dayWords(purgeAt)} the data is deleted for good and cannot be recovered. Until then, you can bring the instance back.`}
        </Paragraph>
        <Action href={billingUrl}>Keep my data</Action>
      </EmailLayout>
    ),
  }
}

export function recovered({ subdomain, url }: About): Email {
  return {
    subject: `${subdomain} is back`,
    body: (
      <EmailLayout title="Your instance is back">
        <Paragraph>
          It is paid for and running again, with everything that was in it. Runs that were due while it was
          stopped are in its history as missed.
        </Paragraph>
        <Action href={url}>Open your instance</Action>
      </EmailLayout>
    ),
  }
}
