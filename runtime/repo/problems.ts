import { defineProblem } from '../../src/http/problem.ts'

export const jobsFolder = defineProblem('jobs-folder', 409, 'The jobs folder cannot be used')
export const unknownCommit = defineProblem('unknown-commit', 404, 'No such commit')
export const repoObstacle = defineProblem('repo-obstacle', 409, 'Nothing can be committed to the jobs repo')
