import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { SMTPServer } from 'smtp-server'

export interface Inbox {
  url: string
  /** Raw messages with their recipients. */
  mails: { to: string[]; text: string }[]
  /** The error for the next recipients, instead of accepting them. */
  refuse: { code: number; words: string } | null
}

/** A mail server that requires user `jobs` and password `s3cret`. */
export async function startInbox(t: Pick<TestContext, 'after'>): Promise<Inbox> {
  const inbox: Inbox = { url: '', mails: [], refuse: null }
  const server = new SMTPServer({
    authOptional: false,
    allowInsecureAuth: true,
    hideSTARTTLS: true,
    onAuth: ({ username, password }, _, done) =>
      username === 'jobs' && password === 's3cret'
        ? done(null, { user: username })
        : done(new Error('wrong password')),
    onRcptTo: (_, __, done) => {
      const { refuse } = inbox
      done(refuse && Object.assign(new Error(refuse.words), { responseCode: refuse.code }))
    },
    onData: (stream, session, done) => {
      let text = ''
      stream.setEncoding('utf8').on('data', piece => {
        text += piece
      })
      stream.on('end', () => {
        inbox.mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text })
        done()
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  t.after(() => new Promise<void>(resolve => server.close(() => resolve())))
  inbox.url = `smtp://jobs:s3cret@127.0.0.1:${(server.server.address() as AddressInfo).port}`
  return inbox
}
