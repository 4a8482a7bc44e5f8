import { defineProblem } from '../../src/http/problem.ts'

export const noChannel = defineProblem('no-channel', 409, 'No channel is set up')
export const unknownMessage = defineProblem('unknown-message', 404, 'No such message')
export const unknownIncident = defineProblem('unknown-incident', 404, 'No such incident')
export const incidentOver = defineProblem('incident-over', 409, 'The incident has recovered')
