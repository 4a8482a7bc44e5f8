import { defineProblem } from '../src/http/problem.ts'

export const unknownJob = defineProblem('unknown-job', 404, 'No such job')
export const jobsFolder = defineProblem('jobs-folder', 409, 'The jobs folder cannot be used')
export const tooManyRuns = defineProblem('too-many-runs', 429, 'Too many runs are waiting')
export const stopping = defineProblem('stopping', 503, 'The instance is stopping')
export const runGoesOn = defineProblem('run-goes-on', 409, 'The run is not over')
export const unknownCommit = defineProblem('unknown-commit', 404, 'No such commit')
export const repoObstacle = defineProblem('repo-obstacle', 409, 'The jobs repo cannot be committed to')
export const overloaded = defineProblem('overloaded', 503, 'Too much was asked at once')
