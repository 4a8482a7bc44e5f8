import { defineProblem } from '../../src/http/problem.ts'

export const billingOff = defineProblem('billing-off', 503, 'Payments are not set up')
export const stripeAway = defineProblem(
  'payment-provider-away',
  503,
  'The payment provider is not responding',
)
export const stripeRefused = defineProblem(
  'payment-provider-refused',
  502,
  'The payment provider refused the request',
)
export const badSignature = defineProblem('bad-signature', 400, 'The signature is not valid')
export const unknownPlan = defineProblem('unknown-plan', 422, 'There is no such plan')
export const alreadySubscribed = defineProblem('already-subscribed', 409, 'You already have a subscription')
export const noCustomer = defineProblem('no-customer', 409, 'You have no subscription yet')
export const customerGone = defineProblem(
  'customer-gone',
  409,
  'The payment provider no longer has a record of you',
)
export const trialsUsedUp = defineProblem('trials-used-up', 429, 'No free trial is available')
export const paymentNeeded = defineProblem('payment-needed', 402, 'A plan is required')
export const unknownEvent = defineProblem('unknown-event', 404, 'No such event')
export const unknownAccount = defineProblem('unknown-account', 404, 'No such account')
export const alreadyExempt = defineProblem('already-exempt', 409, 'The account is already exempt')
export const notExempt = defineProblem('not-exempt', 409, 'The account is not exempt')
