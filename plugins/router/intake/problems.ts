import { defineProblem } from '../../../src/http/problem.ts'

export const unknownAddress = defineProblem('unknown-address', 404, 'There is no instance at this address')
export const routedElsewhere = defineProblem('routed-elsewhere', 404, 'This address is served elsewhere')
export const unsupportedCoding = defineProblem('unsupported-coding', 501, 'Transfer coding not supported')
export const unreachable = defineProblem('instance-unreachable', 502, 'The instance did not answer')
export const misrouted = defineProblem('instance-misrouted', 502, 'The instance could not be found')
export const starting = defineProblem('instance-starting', 503, 'The instance is starting')
export const stopped = defineProblem('instance-stopped', 503, 'The instance is stopped')
export const suspended = defineProblem('instance-suspended', 503, 'The instance is suspended')
export const unhealthy = defineProblem('instance-unhealthy', 503, 'The instance is unhealthy')
export const replaced = defineProblem('instance-replaced', 503, 'The instance was replaced')
export const shuttingDown = defineProblem('router-stopping', 503, 'The platform is restarting')
export const clientCrowded = defineProblem(
  'client-crowded',
  429,
  'Too many requests at once from your address',
)
export const manyConnections = defineProblem(
  'client-connections',
  429,
  'Too many connections from your address',
)
export const clientRate = defineProblem('client-rate', 429, 'Too many requests from your address')
export const instanceRate = defineProblem('instance-rate', 503, 'The instance gets too many requests')
export const longAddress = defineProblem('address-too-long', 414, 'The address is too long')
export const crowded = defineProblem('instance-crowded', 503, 'Too many requests at once')
export const timedOut = defineProblem('instance-timed-out', 504, 'The instance took too long to answer')
export const controlRestarting = defineProblem(
  'control-plane-restarting',
  503,
  'The control plane is restarting',
)
export const controlTimedOut = defineProblem(
  'control-plane-timed-out',
  504,
  'The control plane took too long to answer',
)
export const controlUnreachable = defineProblem(
  'control-plane-unreachable',
  502,
  'The control plane did not answer',
)
