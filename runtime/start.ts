import { keepCompiled } from '../src/compile-cache.ts'

// Before the program itself is loaded, which is most of what a start takes.
keepCompiled()
await import('./main.ts')
