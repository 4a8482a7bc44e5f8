import { defineProblem } from '../../src/http/problem.ts'

export const unknownInstance = defineProblem('unknown-instance', 404, 'No such instance')
export const unknownOperation = defineProblem('unknown-operation', 404, 'No such operation')
export const unknownOrphan = defineProblem('unknown-orphan', 404, 'No such orphan')
export const subdomainTaken = defineProblem('subdomain-taken', 409, 'This subdomain is taken')
export const subdomainHeld = defineProblem('subdomain-held', 409, 'This subdomain is held for its last owner')
export const volumeUnknown = defineProblem('volume-unknown', 409, 'There is a volume of this name already')
export const volumeUnseen = defineProblem('volume-unseen', 503, 'The volume cannot be looked at now')
export const suspended = defineProblem('suspended', 409, 'This instance is suspended')
export const instanceLimit = defineProblem('instance-limit', 409, 'No more instances in this account')
export const nothingToClaim = defineProblem('nothing-to-claim', 404, 'No such instance to claim')
