import nodemailer from 'nodemailer'
import { startSmtp } from '../servers/smtp'

/** A message with an attachment, handed in by SMTP. */
export async function run() {
  const { port, letters, recipients, stop } = await startSmtp()
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true })
  const info = await transport.sendMail({
    from: 'jobs@example.com',
    to: ['ada@example.com', 'Bob <bob@example.com>'],
    subject: 'Grüße',
    text: 'The report is attached.',
    attachments: [{ filename: 'report.csv', content: 'a,b\n1,2\n' }],
  })
  transport.close()
  stop()
  const [letter = ''] = letters
  return {
    recipients,
    accepted: info.accepted,
    subject: /^Subject: (.*)$/m.exec(letter)?.[1],
    attached: letter.includes('filename=report.csv'),
  }
}
