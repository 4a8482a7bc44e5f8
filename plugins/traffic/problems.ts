import { defineProblem } from '../../src/http/problem.ts'

export const trafficElsewhere = defineProblem(
  'traffic-elsewhere',
  409,
  'Traffic is not measured on this site',
)
