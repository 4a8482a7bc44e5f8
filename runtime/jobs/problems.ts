import { defineProblem } from '../../src/http/problem.ts'

export const unknownJob = defineProblem('unknown-job', 404, 'No such job')
export const unknownRun = defineProblem('unknown-run', 404, 'No such run')
export const tooManyRuns = defineProblem('too-many-runs', 429, 'Too many runs are queued')
export const stopping = defineProblem('stopping', 503, 'The instance is stopping')
export const runGoesOn = defineProblem('run-goes-on', 409, 'The run is still in progress')
