import { defineProblem } from '../../src/http/problem.ts'

export const unknownDomain = defineProblem('unknown-domain', 404, 'No such domain')
export const domainTaken = defineProblem('domain-taken', 409, 'The domain belongs to another instance')
export const tooManyDomains = defineProblem('too-many-domains', 409, 'No more domains for this instance')
export const domainsElsewhere = defineProblem(
  'domains-elsewhere',
  409,
  'Domains are not available on this site',
)
export const notServed = defineProblem('not-served', 404, 'This host name is not served here')
export const askedTooOften = defineProblem('asked-too-often', 429, 'Too many questions at once')
