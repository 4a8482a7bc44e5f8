import { defineProblem } from '../../src/http/problem.ts'

export const noGit = defineProblem('no-git', 501, 'This instance cannot be cloned')
