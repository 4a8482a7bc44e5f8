import { defineProblem } from '../../src/http/problem.ts'

export const noConflict = defineProblem('no-conflict', 409, 'No such conflict')
export const nothingHeld = defineProblem('nothing-held', 409, 'Nothing is held back')
export const noRemote = defineProblem('no-remote', 409, 'No remote is connected')
