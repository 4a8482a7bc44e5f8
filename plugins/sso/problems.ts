import { defineProblem } from '../../src/http/problem.ts'

export const notYourInstance = defineProblem('no-such-bridge', 404, 'Not your instance')
