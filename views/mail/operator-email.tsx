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
