import type { OverReason } from '../../plugins/billing/contract.ts'
import { stopReasons } from '../billing/stop-reasons.ts'
import { Action, Dates, dayWords, type Letter, Sheet, Words } from './letter.tsx'

/** The instance that an email is about. */
export interface About {
  subdomain: string
  /** The instance's own address. */
  url: string
}

/** What happens next unless the owner acts, in order. */
export type Ladder = readonly { at: number; what: string }[]

/** Sent when an instance is ready. Contains no password, because others may read an email too. */
export function welcome({ subdomain, url, trialEndsAt }: About & { trialEndsAt: number | null }): Letter {
  return {
    subject: `${subdomain} is ready`,
    body: (
      <Sheet title="Your instance is ready">
        <Words>Save a job in it, and it runs on its schedule, in your time zone.</Words>
        <Action href={url}>Open your instance</Action>
        {trialEndsAt === null ? null : (
          <Words>
            {`Your free trial runs until ${dayWords(trialEndsAt)}; you need no card. After that the instance stops, and your data is kept.`}
          </Words>
        )}
      </Sheet>
    ),
  }
}

export function trialEnding({
  subdomain,
  endsAt,
  billingUrl,
}: About & { endsAt: number; billingUrl: string }): Letter {
  return {
    subject: `The trial of ${subdomain} ends on ${dayWords(endsAt)}`,
    body: (
      <Sheet title={`Your trial ends on ${dayWords(endsAt)}`}>
        <Words>
          After that the instance stops: no jobs run, and your data is kept. Choose a plan to keep it running.
        </Words>
        <Action href={billingUrl}>Choose a plan</Action>
      </Sheet>
    ),
  }
}

export function paymentFailed({
  subdomain,
  ladder,
  billingUrl,
}: About & { ladder: Ladder; billingUrl: string }): Letter {
  return {
    subject: `A payment for ${subdomain} failed`,
    body: (
      <Sheet title="A payment failed">
        <Words>
          Your instance keeps running for now, and the payment will be retried. Using another card may help.
          If it is not paid:
        </Words>
        <Dates of={ladder} />
        <Action href={billingUrl}>Pay or change the card</Action>
      </Sheet>
    ),
  }
}

/** Sent when the operator ends an exemption. */
export function exemptionEnded({
  subdomain,
  ladder,
  billingUrl,
}: About & { ladder: Ladder; billingUrl: string }): Letter {
  return {
    subject: `${subdomain} needs a plan from now on`,
    body: (
      <Sheet title="Your instance needs a plan from now on">
        <Words>
          Until now you did not have to pay for it. It keeps running for now. Choose a plan to keep it running
          longer. If you do not:
        </Words>
        <Dates of={ladder} />
        <Action href={billingUrl}>Choose a plan</Action>
      </Sheet>
    ),
  }
}

export function stopped(of: About & { reason: OverReason; ladder: Ladder; billingUrl: string }): Letter {
  const { subdomain, reason, ladder, billingUrl } = of
  return {
    subject: `${subdomain} has stopped`,
    body: (
      <Sheet title="Your instance has stopped">
        <Words>
          {`${stopReasons[reason]} No jobs run now. Your jobs, their history and all other data are kept, and come back once it is paid.`}
        </Words>
        <Dates of={ladder} />
        <Action href={billingUrl}>Start it again</Action>
      </Sheet>
    ),
  }
}

/** `purgeAt` is when its data is deleted for good. */
export function deletionAhead({
  subdomain,
  purgeAt,
  billingUrl,
}: About & { purgeAt: number; billingUrl: string }): Letter {
  return {
    subject: `The data of ${subdomain} will be deleted on ${dayWords(purgeAt)}`,
    body: (
      <Sheet title={`Your data will be deleted on ${dayWords(purgeAt)}`}>
        <Words>
          {`The instance ${subdomain} was removed, and its data was kept. On ${dayWords(purgeAt)} the data is deleted for good. Until then you can restore it.`}
        </Words>
        <Action href={billingUrl}>Keep the data</Action>
      </Sheet>
    ),
  }
}

export function recovered({ subdomain, url }: About): Letter {
  return {
    subject: `${subdomain} is back`,
    body: (
      <Sheet title="Your instance is back">
        <Words>
          It is paid and runs again, with all of its data. Due times that passed while it was stopped are in
          the history of their jobs as missed.
        </Words>
        <Action href={url}>Open your instance</Action>
      </Sheet>
    ),
  }
}
