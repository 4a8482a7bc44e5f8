import type { Route } from '../../src/http/route.ts'
import { starting } from './problems.ts'

/** Wraps a route to respond only once the program has started; before that it throws the Problem `starting`. */
export function onceStarted(route: Route, hasStarted: () => boolean): Route {
  if (route.early) return route
  return {
    ...route,
    handle: (c, input) => {
      if (!hasStarted()) throw starting('Try again in a moment.', { headers: { 'Retry-After': '1' } })
      return route.handle(c, input)
    },
  }
}
