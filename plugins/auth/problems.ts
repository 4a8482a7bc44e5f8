import { defineProblem } from '../../src/http/problem.ts'

export const signInOff = defineProblem('sign-in-off', 503, 'Sign-in is not set up here')
export const providerDown = defineProblem('provider-down', 503, 'The sign-in provider is not responding')
export const providerMisconfigured = defineProblem(
  'provider-misconfigured',
  503,
  'Sign-in is not set up correctly here',
)
export const signInDenied = defineProblem('sign-in-denied', 403, 'The sign-in was cancelled')
export const signInRefused = defineProblem('sign-in-refused', 403, 'The sign-in could not be verified')
export const clocksDiffer = defineProblem('clocks-differ', 403, 'The clocks do not match')
export const emailUnverified = defineProblem('email-unverified', 403, 'Your email address is not verified')
export const roleNeeded = defineProblem('role-needed', 403, 'Your role does not allow this')
export const signInAgain = defineProblem('sign-in-again', 403, 'Sign in again')
export const outOfScope = defineProblem('out-of-scope', 403, 'The token is for other instances')
export const unknownSession = defineProblem('unknown-session', 404, 'No such session')
