import type { Rung } from '../../plugins/billing/contract.ts'

/** What happens at each step of the ladder, in the words of pages and emails. */
export const ladderWords: Record<Rung['what'], string> = {
  stop: 'Your instance stops. Everything in it is kept.',
  remove: 'Your instance is removed. Its data is kept, and paying brings it back.',
  delete: 'Its data is deleted for good.',
}
