import { defineProblem } from '../../src/http/problem.ts'

export const unknownOperator = defineProblem('unknown-operator', 404, 'No such operator')
export const unknownPasskey = defineProblem('unknown-passkey', 404, 'No such passkey')
export const unknownInvitation = defineProblem('unknown-invitation', 404, 'This invitation is not valid')
export const notAnOperator = defineProblem('not-an-operator', 409, 'Only for operators themselves')
export const noInvitation = defineProblem('no-invitation', 409, 'There is no invitation')
export const providerTaken = defineProblem('provider-taken', 409, 'The account is taken')
export const unprovenEmail = defineProblem('unproven-email', 404, 'This link is not valid')
export const noMail = defineProblem('no-mail', 503, 'Emails are not set up')
export const lastWayIn = defineProblem('last-way-in', 409, 'This is the last way in')
export const wrongSignIn = defineProblem('wrong-sign-in', 401, 'The sign-in failed')
export const passkeyRefused = defineProblem('passkey-refused', 403, 'The passkey could not be verified')
