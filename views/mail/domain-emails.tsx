import { Action, dayWords, type Email, EmailLayout, Paragraph } from './email.tsx'

interface About {
  subdomain: string
  domain: string
  /** The name and the value of the TXT record that proves the domain. */
  record: string
  value: string
  /** The page with the instance's domains. */
  page: string
}

/** The DNS no longer has the proof of a domain. */
export function domainLosing({
  subdomain,
  domain,
  record,
  value,
  page,
  stopsAt,
}: About & { stopsAt: number }): Email {
  return {
    subject: `${domain} will stop leading to ${subdomain}`,
    body: (
      <EmailLayout title={`${domain} has lost its proof`}>
        <Paragraph>
          {`The TXT record ${record} no longer has the value ${value}. Until ${dayWords(stopsAt)}, requests for ${domain} still reach your instance.`}
        </Paragraph>
        <Paragraph>
          If the domain is still yours, add the record again. If it is not, you need to do nothing.
        </Paragraph>
        <Action href={page}>See your domains</Action>
      </EmailLayout>
    ),
  }
}

/** The grace period is over. */
export function domainLost({ subdomain, domain, record, value, page, url }: About & { url: string }): Email {
  return {
    subject: `${domain} no longer leads to ${subdomain}`,
    body: (
      <EmailLayout title={`${domain} no longer leads to your instance`}>
        <Paragraph>
          {`Its proof was missing for too long. Your instance runs as before, at ${url}.`}
        </Paragraph>
        <Paragraph>
          {`To use the domain again, add the TXT record ${record} with the value ${value}, then check it.`}
        </Paragraph>
        <Action href={page}>See your domains</Action>
      </EmailLayout>
    ),
  }
}
