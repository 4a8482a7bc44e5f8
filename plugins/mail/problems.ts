import { defineProblem } from '../../src/http/problem.ts'

export const mailOff = defineProblem('mail-off', 503, 'Mail is not set up')
export const unknownMail = defineProblem('unknown-mail', 404, 'No such email')
