import type { Email } from '../../views/mail/email.tsx'

export type { DeliveryStatus } from '../../src/delivery/delivery-queue.ts'

export interface MailService {
  /** False when no mail server is set up. Then nothing is queued, and pages should not promise emails. */
  on: boolean
  /**
   * Queues an email. `key` says what it is about, and each key is queued once, so a periodic task may call this in every
   * round. Returns whether this call queued the email.
   */
  send(mail: { key: string; to: string; email: Email }): boolean
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    mail: MailService
  }
}
