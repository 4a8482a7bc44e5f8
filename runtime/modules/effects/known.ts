// What is known of names that no file of the repo declares. What is not listed is taken to change something.

/** What calling it, or one of its members, does. */
export type Kind = 'nothing' | 'reads' | 'prints' | 'writes'

/** Values, and functions and classes that only make new values. */
const harmless = new Set(
  `undefined NaN Infinity arguments Object Array Map Set WeakMap WeakSet WeakRef Symbol String Number Boolean BigInt Math JSON Date
  RegExp Error TypeError RangeError SyntaxError ReferenceError EvalError URIError AggregateError SuppressedError Promise Proxy Reflect
  Intl Temporal URL URLSearchParams URLPattern TextEncoder TextDecoder Buffer Blob File FormData Headers Request Response ArrayBuffer
  SharedArrayBuffer DataView Uint8Array Uint8ClampedArray Uint16Array Uint32Array Int8Array Int16Array Int32Array Float16Array
  Float32Array Float64Array BigInt64Array BigUint64Array AbortController AbortSignal Event EventTarget CustomEvent structuredClone
  parseInt parseFloat isNaN isFinite encodeURIComponent decodeURIComponent encodeURI decodeURI atob btoa Iterator AsyncIterator
  performance crypto WebAssembly DOMException`.split(/\s+/),
)

/** They change what they are given first. */
const changers =
  /^(assign|defineProperty|defineProperties|setPrototypeOf|freeze|seal|preventExtensions|set|deleteProperty)$/

export function isChanger(name: string, path: readonly string[]): boolean {
  return (name === 'Object' || name === 'Reflect') && path.length === 1 && changers.test(path[0] ?? '')
}

export const isHarmless = (name: string) => harmless.has(name)

const readsOfProcess =
  /^(cwd|uptime|hrtime|memoryUsage|cpuUsage|getuid|getgid|geteuid|getegid|getBuiltinModule)$/

export function globalCall(name: string, path: readonly string[]): Kind {
  if (name === 'console') return 'prints'
  if (name === 'process') return readsOfProcess.test(path[0] ?? '') ? 'reads' : 'writes'
  // Members of what is built in are reached with at most two names: `Array.prototype.x` is no function of Array itself.
  if (!harmless.has(name) || path[0] === 'prototype') return 'writes'
  if (name === 'performance' && !/^(now|toJSON)$/.test(path[0] ?? 'now')) return 'writes'
  return name === 'Date' || name === 'Math' ? 'reads' : 'nothing'
}

/** Node's modules whose functions and classes change nothing by being called, apart from those that `verbs` names. */
const pureModules = new Set(
  'assert buffer crypto events module os path punycode querystring stream string_decoder url util zlib'.split(
    ' ',
  ),
)

/** Classes of other modules of which an object may be made, without anyone noticing. */
const pureClasses = /^(AsyncLocalStorage|AsyncResource|Agent|BlockList|SocketAddress|Script)$/

const readsOfFiles = /^(read|exists|stat|lstat|fstat|access|realpath|readlink|opendir|statfs)/

/** A call of something that a module of Node's exports. */
export function builtinCall(module: string, names: readonly string[], isNew: boolean): Kind {
  const [main = ''] = module.replace(/^node:/, '').split('/')
  const last = names.at(-1) ?? ''
  if (main === 'process') return globalCall('process', names)
  if (isNew && pureClasses.test(last)) return 'reads'
  if (main === 'perf_hooks') return /^(now|toJSON)$/.test(last) ? 'reads' : 'writes'
  if (main === 'fs') return readsOfFiles.test(last) ? 'reads' : 'writes'
  if (!pureModules.has(main) || names.some(name => verbs.test(name))) return 'writes'
  return (main === 'path' && !/^(resolve|relative)$/.test(last)) || main === 'url' ? 'nothing' : 'reads'
}

/**
 * Names of functions of packages that are called for what they change and not for what they return: the environment, or
 * what all users of the package share.
 */
export const verbs =
  /^(init|initialize|config|configure|register|registerHooks|set|setup|use|extend|install|loadEnv\w*|start|listen|patch|enable|disable|on|once|add|mock|override|overwrite|bootstrap|activate|inject|populate|expand|schedule|global\w*)(?![a-z])/

/** Methods of texts and lists, which leave them as they are, and that other objects hardly have. */
export const leavesAsIs = (method: string) =>
  /^(map|filter|includes|join|slice|concat|split|trim|trimStart|trimEnd|toUpperCase|toLowerCase|replace|replaceAll|startsWith|endsWith|padStart|padEnd|flatMap|flat|some|every|reduce|indexOf|toFixed|toISOString|toString|toSorted|toReversed|repeat|at|bind)$/.test(
    method,
  )

/** Methods by which a module tells an object that a package made for it what to do later. */
export const isSettingUp = (method: string) =>
  /^((on|once|off|add|set|register|define|use|extend|hook|plugin|pre)([A-Z]\w*)?|options?|command|argument|description|name|version|alias|=)$/.test(
    method,
  )
