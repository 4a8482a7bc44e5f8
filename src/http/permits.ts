import { type Permits, type Role, type Route, roles } from './route.ts'

/**
 * Compares the roles of routes with that of the operator of a request. What is no operator's route, and every request without
 * an operator, is permitted: pages for them decide by themselves.
 */
export function permitsBy(routes: readonly Route[]): (granted: () => Role | undefined) => Permits {
  const needs = routes
    .filter(({ guard }) => guard.schemes.includes('bearer'))
    .map(({ method, path, role = 'own' }) => ({
      method,
      role,
      // A fixed path comes before a parameter in its place.
      parameters: path.split('{').length,
      pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll(/\{\w+\.\.\.\}/g, '.+')}$`),
    }))
    .sort((a, b) => a.parameters - b.parameters)
  return granted => (method, href) => {
    const role = granted()
    if (role === undefined || role === 'own') return true
    const path = href.split(/[?#]/)[0] ?? ''
    const found = needs.find(each => each.method === method && each.pattern.test(path))
    return found === undefined || roles.indexOf(role) >= roles.indexOf(found.role)
  }
}
