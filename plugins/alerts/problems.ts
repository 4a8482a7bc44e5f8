import { defineProblem } from '../../src/http/problem.ts'

export const noChannel = defineProblem('no-alert-channel', 503, 'Alerts are not set up')
export const unknownSilence = defineProblem('unknown-silence', 404, 'No such silence')
