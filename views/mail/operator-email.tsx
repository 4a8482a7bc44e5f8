import type { Operator } from '../../plugins/operators/contract.ts'
import { Action, dayWords, type Email, EmailLayout, Paragraph } from './email.tsx'

/** An invitation to operate a site. Its address is a secret, which works once. */
export function operatorInvitation({
  name,
  role,
  url,
  by,
  site,
  until,
}: Pick<Operator, 'name' | 'role'> & { url: string; by: string; site: string; until: number }): Email {
  return {
    subject: `You are invited to operate ${site}`,
    body: (
      <EmailLayout
        title={`Operate ${site}`}
        why={`You receive this email because ${by} invited you at ${site}. If you do not know why, ignore it.`}
      >
        <Paragraph>{`${name}, you can sign in to the control plane of ${site} with the role “${role}”.`}</Paragraph>
        <Action href={url}>Accept the invitation</Action>
        <Paragraph>{`The address works once, until ${dayWords(until)}. Do not pass it on.`}</Paragraph>
      </EmailLayout>
    ),
  }
}

/** Proves a new email address of an operator. Its address is a secret, which works once, for them alone. */
export function operatorEmailProof({
  name,
  url,
  site,
  until,
}: Pick<Operator, 'name'> & { url: string; site: string; until: number }): Email {
  return {
    subject: `Confirm your email address at ${site}`,
    body: (
      <EmailLayout
        title="Confirm your email address"
        why={`You receive this email because ${name}, who operates ${site}, entered your address. If that was not you, ignore it.`}
      >
        <Paragraph>{`${name}, confirm that this is your new email address at ${site}. Until then, your address stays as it is.`}</Paragraph>
        <Action href={url}>Confirm the address</Action>
        <Paragraph>{`The link works once, until ${dayWords(until)}, where you are signed in.`}</Paragraph>
      </EmailLayout>
    ),
  }
}

/** Says to the old address of an operator that it no longer signs them in. */
export function operatorEmailChanged({
  name,
  to,
  site,
}: Pick<Operator, 'name'> & { to: string; site: string }): Email {
  return {
    subject: `Your email address at ${site} was changed`,
    body: (
      <EmailLayout
        title="Your email address was changed"
        why={`You receive this email because your address belonged to an operator of ${site}.`}
      >
        <Paragraph>{`${name}, you now sign in at ${site} as ${to}. This address no longer signs you in.`}</Paragraph>
        <Paragraph>
          If you did not change it, tell another operator at once: they can reset your sign-in.
        </Paragraph>
      </EmailLayout>
    ),
  }
}
