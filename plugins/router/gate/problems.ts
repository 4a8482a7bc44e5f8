import { defineProblem } from '../../../src/http/problem.ts'

export const signInFirst = defineProblem('gate-sign-in', 303, 'Sign in first')
export const letIn = defineProblem('gate-open', 303, 'You are signed in')
export const gateClosed = defineProblem('gate-closed', 401, 'Only the owner may open this instance')
export const ticketRefused = defineProblem('gate-ticket-refused', 403, 'The sign-in could not be verified')
