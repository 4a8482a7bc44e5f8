import type { Route } from '../../src/http/route.ts'

declare module '../../src/kernel/runtime.ts' {
  interface Hooks {
    /** Asked by the program for each route: returns the same route with a wrapped handler. */
    'around-route': (route: Route) => Route
  }
}
