import type { OverReason } from '../../plugins/billing/contract.ts'
import { stopReasons } from '../billing/stop-reasons.ts'
import { Action, Dates, dayWords, type Letter, Sheet, Words } from './letter.tsx'

/** Where a letter's instance is and what it is called. */
export interface About {
  subdomain: string
  /** The instance's own address. */
  url: string
}

/** What happens next if nothing is done, in order. */
export type Ladder = readonly { at: number; what: string }[]

/** The instance is there. Never with a password in it: mail is read by more than its reader. */
export function welcome({ subdomain, url, trialEndsAt }: About & { trialEndsAt: number | null }): Letter {
  return {
    subject: `${subdomain} is ready`,
    body: (
      <Sheet title="Your instance is ready">
        <Words>
          Save a job there and it runs by its schedule, in your time zone, whether you look or not.
        </Words>
        <Action href={url}>Open your instance</Action>
        {trialEndsAt === null ? null : (
          <Words>
            {`You can try it until ${dayWords(trialEndsAt)}, without a card. After that it stops, and everything in it is kept for you.`}
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
          Until then everything goes on as it is. Afterwards the instance stops: no job runs, and everything
          in it is kept for you. Choose a plan and nothing stops at all.
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
          Your instance runs on. The payment is tried again; another card may help. If nothing is paid:
        </Words>
        <Dates of={ladder} />
        <Action href={billingUrl}>See the payment, change the card</Action>
      </Sheet>
    ),
  }
}

/** The operator asked no payment, and does so from now on. */
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
          It was free of charge, and is no more. It runs on for now. Choose a plan and nothing stops; if none
          is chosen:
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
          {`${stopReasons[reason]} No job runs now. Your jobs, their history and everything else in the instance is kept, and is back as it was once it is paid.`}
        </Words>
        <Dates of={ladder} />
        <Action href={billingUrl}>Bring it back</Action>
      </Sheet>
    ),
  }
}

/** `purgeAt` is when its data goes for good. */
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
          {`The instance ${subdomain} was removed; its data has been kept since. On ${dayWords(purgeAt)} it is deleted for good, and nobody can bring it back after that. Until then one click does.`}
        </Words>
        <Action href={billingUrl}>Keep it</Action>
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
          It is paid, and it runs with everything that was in it. What fell due while it stood still is in its
          history as missed.
        </Words>
        <Action href={url}>Open your instance</Action>
      </Sheet>
    ),
  }
}
