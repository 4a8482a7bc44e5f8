import { isDiskFull, isFullCode } from '../../../src/storage/disk.ts'

/** Codes of a registry that was not reached, as Node and npm name them. */
const unreachable =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR|EPIPE|ENETDOWN)\b/

/** Codes of a certificate that is not trusted: a proxy that reads along, or a registry with an authority of its own. */
const untrusted =
  /\b(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|UNABLE_TO_\w+|SELF_SIGNED_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|ERR_TLS_CERT_ALTNAME_INVALID)\b/

/** Why npm did not install, and what to do about it. */
export interface Failure {
  message: string
  /** The network or the registry failed: the same files may install later. */
  offline: boolean
  /** A retry with unchanged files may succeed. */
  passing: boolean
  /** There is no space left on the disk. */
  full?: boolean
  /** The package that it is about, as `package.json` may name it. */
  package?: string | null
  /** Where the mistake is; where `package.json` names the package when it is left out. */
  place?: { file: string; line: number | null }
  /** The registry wants to know who asks. */
  refused?: boolean
  /** What the lockfile lacks of what `package.json` asks for, on this system. */
  lacks?: readonly string[]
}

/** What git says of a host that it did not reach, in `npm error` lines with the code 128. */
const gitUnreachable =
  /Could not resolve host|Failed to connect to|Couldn't connect to server|Connection (?:timed out|refused|reset)|Operation timed out|returned error: (?:429|5\d\d)|early EOF|unexpected disconnect/i

/** What npm printed, in words. */
export function failureOf(output: string): Failure {
  const code = /^npm (?:error|ERR!) code (\S+)/m.exec(output)?.[1] ?? ''
  const ofNpm = output.split('\n').filter(line => /^npm (error|ERR!)/.test(line))
  const said = ofNpm.join('\n')
  const offline = /^E(5\d\d|408|429)$/.test(code) || unreachable.test(said) || gitUnreachable.test(said)
  const full = isFullCode(code)
  const passing = offline || full || untrusted.test(said)
  // A registry that hides what one may not see answers 404.
  return {
    message: inWords(output),
    package: packageIn(said),
    offline,
    passing,
    full,
    refused: /^(E401|E403|E404|ENEEDAUTH)$/.test(code),
    lacks: lackingIn(said),
  }
}

const fullInWords = 'the volume is full. Free some space; the installation is retried automatically.'

/** There is no space on the disk. */
export const volumeFull: Failure = { message: fullInWords, offline: false, passing: true, full: true }

/** `npm ci` refuses a lockfile from another system that names no packages for this one; `npm install` adds them. */
function lackingIn(said: string): string[] {
  return [...said.matchAll(/^npm (?:error|ERR!) Missing: (\S+) from lock file/gm)].map(
    ([, name = '']) => name,
  )
}

/** A failure that needs a change of the files, unless it is said to pass by itself. */
export function failed(message: string, { offline = false, passing = false } = {}): Failure {
  return { message, offline, passing: passing || offline }
}

/** What a step around npm threw: no space, or its message. */
export function failureFrom(error: unknown): Failure {
  return isDiskFull(error) ? volumeFull : failed((error as Error).message)
}

function inWords(output: string): string {
  const lines = output
    .split('\n')
    .flatMap(line => /^npm (?:error|ERR!) ?(.*)/.exec(line)?.[1] ?? [])
    .filter(line => !/complete log of this run|^A complete log/.test(line))
  const text = lines.join('\n')
  const code = /^code (\S+)/m.exec(text)?.[1] ?? ''
  const host = /https?:\/\/[^/\s"')]+/.exec(text)?.[0] ?? 'the registry'

  const distrust = untrusted.exec(`${code} ${text}`)?.[1]
  if (distrust) {
    return `${host} answers with a certificate that this instance does not trust (${distrust}). If an authority of your own signed it, the operator sets LONGHOUSE_CA_FILE, or you name its file in the jobs repo's .npmrc: cafile=ca.pem. The installation is retried automatically.`
  }
  const lost = unreachable.exec(`${code} ${text}`)?.[1]
  if (lost) {
    return `${host} does not answer (${lost}): this instance is offline, or the registry is down. The installation is retried automatically.`
  }
  const engine =
    code === 'EBADENGINE' && /Not compatible with your version of node\/npm: (\S+)/.exec(text)?.[1]
  if (engine) {
    const asked = /Required: \{.*?"node":"([^"]+)"/.exec(text)?.[1]
    return `${engine} asks for ${asked ? `Node ${asked}` : 'another Node'}, and instances run Node ${process.versions.node} (EBADENGINE). Choose a version of it that allows that; or remove engine-strict from .npmrc, and npm only warns.`
  }
  if (code === 'EOVERRIDE') {
    const name = packageIn(text)
    return `"overrides" asks for another version of ${name ?? 'a package'} than "dependencies" (EOVERRIDE). Write the same version in both, or "$${name ?? 'name'}" in "overrides".`
  }
  if (code === 'EINVALIDPACKAGENAME' || code === 'EINVALIDTAGNAME') {
    return `package.json names a package or a version that cannot exist: ${/Invalid .*/.exec(text)?.[0] ?? code}`
  }
  if (code === 'EUNSUPPORTEDPROTOCOL') {
    return `a package asks for a version that only other package managers understand: ${/Unsupported URL Type.*/.exec(text)?.[0] ?? code}. Choose a version of it from the registry.`
  }
  if (code === 'EALLOWGIT') {
    return 'a package is to come from git, which npm refuses (EALLOWGIT). Name a version from the registry; or put allow-git=root into .npmrc, if what is in git needs no build: "prepare" is not run here.'
  }
  if (code === 'EALLOWREMOTE') {
    return 'a package is to come from an address, which npm refuses (EALLOWREMOTE). Name a version from the registry; or put allow-remote=root into .npmrc.'
  }
  if (code === 'E404') {
    const name =
      /'([^']+?)' is not in this registry/.exec(text)?.[1] ??
      /404 Not Found - GET https?:\/\/[^/]+\/(\S+)/.exec(text)?.[1]
    const small = name && name !== name.toLowerCase() ? ' New names have no capital letters.' : ''
    return `${name?.replace(/%2f/i, '/') ?? 'a package'} is not in the registry. Is its name right in package.json?${small}`
  }
  if (code === 'ETARGET') {
    const name = /No matching version found for (\S+?)\.?(\s|$)/.exec(text)?.[1]
    return `there is no version ${name ?? 'that package.json asks for'}. Choose one that exists.`
  }
  if (code === 'E401' || code === 'E403' || code === 'ENEEDAUTH') {
    return `${host} refuses access (${code}). A private registry needs a token: put it into a secret, and the secret's name into the jobs repo's .npmrc, such as _authToken=\${NPM_TOKEN}.`
  }
  if (gitUnreachable.test(text)) {
    return `${host} does not answer git: this instance is offline, or the host is down. The installation is retried automatically.`
  }
  if (code === 'E429')
    return `${host} asks for fewer requests (429). The installation is retried automatically.`
  if (code === 'E408' || /^E5\d\d$/.test(code))
    return `${host} fails (${code.slice(1)}). The installation is retried automatically.`
  if (code === 'EINTEGRITY') {
    return 'a package is not what the lockfile says it is (EINTEGRITY). Delete package-lock.json to lock it anew, if you trust the registry.'
  }
  if (code === 'EBADPLATFORM') {
    const [, name = 'a package', wanted = '{}'] =
      /Unsupported platform for (\S+?): wanted (\{.*?\}) \(/.exec(text) ?? []
    return `${name} is not for this system, which is ${process.platform}-${process.arch}: it wants ${inPlainWords(wanted)}. Put it into "optionalDependencies", where it is left out, or take it out of package.json.`
  }
  if (code === 'ERESOLVE') {
    const [, peer, range, from] = /peer (\S+?)@"([^"]+)" from (\S+)/.exec(text) ?? []
    const which = from ? `: ${from} needs ${peer} ${range} beside it, and another version is asked for` : ''
    return `the packages ask for versions that exclude each other (ERESOLVE)${which}. Change one of them in package.json; if they work together all the same, "overrides" says so, or legacy-peer-deps=true in .npmrc.`
  }
  if (isFullCode(code)) return fullInWords
  const script =
    /^command failed$/m.test(text) && /^path .*node_modules\/((?:@[^/]+\/)?[^/\s]+)$/m.exec(text)?.[1]
  if (script) {
    const command = /^command (?:sh -c )?(?!failed)(.+)$/m.exec(text)?.[1] ?? 'its install script'
    const compiler = /node-gyp/.test(text)
      ? ' It compiles native code, which needs a compiler that is not here. Many packages bring what they need compiled: take it out of "allowScripts" in package.json, and see whether it works.'
      : ' Its output is below.'
    return `the install script of ${script} failed: ${command}.${compiler}`
  }
  const told = lines.filter(line => line.trim() !== '' && !line.startsWith('code ')).slice(0, 3)
  return told.length > 0 ? `npm says: ${told.join(' ')}` : 'npm failed; its output is below.'
}

/** `{"os":"darwin","cpu":["x64","arm64"]}` as "os darwin, cpu x64 or arm64". */
function inPlainWords(wanted: string): string {
  const fields = wanted.matchAll(/"(\w+)":(\[[^\]]*\]|"[^"]*")/g)
  const words = [...fields].map(([, field, values = '']) =>
    [field, [...values.matchAll(/"([^"]*)"/g)].map(([, value]) => value).join(' or ')].join(' '),
  )
  return words.join(', ') || 'another one'
}

/** The package that npm's words are about; null where they name none. */
function packageIn(said: string): string | null {
  const spec =
    /'((?:@[^/'@]+\/)?[^'@]+)(?:@[^']*)?' is not in this registry/.exec(said)?.[1] ??
    /No matching version found for ((?:@[^/@\s]+\/)?[^@\s]+)/.exec(said)?.[1] ??
    /Not compatible with your version of node\/npm: ((?:@[^/@\s]+\/)?[^@\s]+)/.exec(said)?.[1] ??
    /Refusing to fetch "((?:@[^/@"]+\/)?[^@"]+)@/.exec(said)?.[1] ??
    /Override for ((?:@[^/@\s]+\/)?[^@\s]+)@/.exec(said)?.[1] ??
    /Invalid .* of package "((?:@[^/@"]+\/)?[^@"]+)@/.exec(said)?.[1] ??
    /Unsupported platform for ((?:@[^/@\s]+\/)?[^@\s]+)@/.exec(said)?.[1] ??
    /peer \S+?@"[^"]+" from ((?:@[^/@\s]+\/)?[^@\s]+)@/.exec(said)?.[1] ??
    /404 Not Found - GET https?:\/\/[^/]+\/(\S+)/.exec(said)?.[1]
  return spec === undefined ? null : spec.replace(/%2f/i, '/')
}
