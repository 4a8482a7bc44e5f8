import type { OverReason } from '../../plugins/billing/contract.ts'

/** Why billing stopped an instance, in the words of pages and emails. */
export const stopReasons: Record<OverReason, string> = {
  trial: 'The free trial has ended, and no plan was chosen.',
  unpaid: 'The instance is not paid for.',
  canceled: 'The subscription has ended.',
  exemption: 'The account is no longer exempt from payment, and no plan was chosen.',
}
