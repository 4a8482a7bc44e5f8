import { defineProblem } from '../../src/http/problem.ts'

export const misdirected = defineProblem('misdirected', 421, 'Another instance answers here')
export const starting = defineProblem('starting', 503, 'The instance is starting')
export const noRemote = defineProblem('no-remote', 409, 'No remote is connected')
export const unknownRun = defineProblem('unknown-run', 404, 'No such run')
export const headTooLarge = defineProblem('head-too-large', 431, 'The headers are too large')
export const tooSlow = defineProblem('too-slow', 408, 'The request took too long')
export const expectationFailed = defineProblem('expectation-failed', 417, 'The expectation cannot be met')
