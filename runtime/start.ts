import { keepCompiled } from '../src/compile-cache.ts'

// Before the program itself is loaded, which takes most of the start.
keepCompiled()
await import('./main.ts')
