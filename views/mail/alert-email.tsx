import { type Email, EmailLayout, Paragraph } from './email.tsx'

/** An alert to an operator. */
export function alertEmail(subject: string, paragraphs: readonly string[]): Email {
  return {
    subject,
    body: (
      <EmailLayout
        title={subject}
        why="You receive this email because your address is in ALERT_EMAIL of this control plane."
      >
        {paragraphs.map(text => (
          <Paragraph>{text}</Paragraph>
        ))}
      </EmailLayout>
    ),
  }
}
