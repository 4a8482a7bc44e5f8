import nodemailer from 'nodemailer'

/** Sends an email to the team. */
export async function mailTeam(subject: string, text: string): Promise<void> {
  const transport = nodemailer.createTransport({ host: process.env.SMTP_HOST ?? '127.0.0.1', port: 2525 })
  await transport.sendMail({ from: 'jobs@shop.test', to: 'team@shop.test', subject, text })
}
