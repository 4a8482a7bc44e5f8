import { keepCompiled } from '../src/compile-cache.ts'
import { compileProgram } from '../src/kept-code.ts'
import { builtRoot, programRoot } from '../src/root.ts'

/** An instance is ready and has been asked for a page or two. */
const keptAfterMs = 10_000

// Before anything else is loaded.
keepCompiled()
const given = process.env.NODE_COMPILE_CACHE
const program = compileProgram(builtRoot('runtime.cjs'), given ?? programRoot('compile-cache'))
program.run()
// The image is built with this; what a container starts from it only reads.
if (process.argv.includes('--keep-compiled')) process.once('exit', () => program.keep())
else if (given === undefined && !program.wasKept) setTimeout(() => program.keep(), keptAfterMs).unref()
