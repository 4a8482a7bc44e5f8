import type { Letter } from '../../views/mail/letter.tsx'

export interface MailService {
  /** False when no mail server is set up: then nothing is queued, and pages should promise no mail. */
  on: boolean
  /**
   * Puts a letter into the queue. `key` says what it is about: the same key is queued once, however often it is asked for,
   * so that whoever looks at the state of things again and again may ask each time. True when this call queued it.
   */
  send(mail: { key: string; to: string; letter: Letter }): boolean
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    mail: MailService
  }
}
