// The bill of materials of an image, in CycloneDX 1.6: what its base consists of, and which npm packages are in it. It holds
// no time and no random number, so that the same content makes the same image.
//   node sbom.mjs base                                  what strip.sh left of the base: Debian packages, Node, and npm
//                                                       packages that came with it, each with a file that is there
//   node sbom.mjs image <name> <version> <base> <npm>   the whole, of two files with lists of components; in the last stage
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'

const [what, ...args] = process.argv.slice(2)
if (what === 'base') print([...debianPackages(), ...nodeItself(), ...npmPackages()])
else if (what === 'image') print(wholeBill(...args))
else throw new Error(`sbom.mjs makes a bill of a base or an image, not of "${what}"`)

function print(value) {
  process.stdout.write(`${JSON.stringify(value, null, 1)}\n`)
}

function wholeBill(name, version, baseFile, npmFile) {
  const all = [baseFile, npmFile].flatMap(file => JSON.parse(readFileSync(file, 'utf8')))
  const components = [...new Map(all.map(each => [each.purl, each])).values()]
  const purl = `pkg:oci/${name}@${encodeURIComponent(version)}`
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: { type: 'container', 'bom-ref': purl, name, version, purl },
    },
    components: components.toSorted((one, other) => (one.purl < other.purl ? -1 : 1)),
    dependencies: [{ ref: purl, dependsOn: components.map(each => each['bom-ref']).toSorted() }],
  }
}

/** Those of which a file is left. None where the base is not Debian's kind. */
function debianPackages() {
  const status = '/var/lib/dpkg/status'
  if (!existsSync(status)) return []
  const { ID: vendor = 'debian', VERSION_CODENAME: distro } = osRelease()
  return readFileSync(status, 'utf8')
    .split(/\n\n+/)
    .map(paragraph =>
      Object.fromEntries(
        [...paragraph.matchAll(/^([A-Z][\w-]*): (.*)$/gm)].map(([, key, value]) => [key, value]),
      ),
    )
    .filter(({ Status }) => Status === 'install ok installed')
    .flatMap(({ Package: name, Version: version, Architecture: arch }) => {
      const left = fileLeftOf(name, arch)
      if (!left) return []
      const where = `arch=${arch}${distro ? `&distro=${distro}` : ''}`
      const purl = `pkg:deb/${vendor}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?${where}`
      return [{ ...component('library', name, version, purl), ...seenAt(left) }]
    })
}

/** A file of a Debian package that strip.sh did not remove; of a folder, none says whose it is. */
function fileLeftOf(name, arch) {
  const lists = [`${name}.list`, `${name}:${arch}.list`].map(file => `/var/lib/dpkg/info/${file}`)
  const list = lists.find(existsSync)
  return (
    list &&
    readFileSync(list, 'utf8')
      .split('\n')
      .find(path => statSync(path || '/', { throwIfNoEntry: false })?.isFile())
  )
}

/** npm, yarn and what they consist of, where the base brings them. */
function npmPackages() {
  const places = [
    '/usr/local/lib/node_modules/**/package.json',
    '/usr/lib/node_modules/**/package.json',
    '/opt/*/**/package.json',
  ]
  return globSync(places)
    .toSorted()
    .flatMap(file => {
      const { name, version } = JSON.parse(readFileSync(file, 'utf8'))
      // Parts of packages have package.json files of their own, without a version.
      if (!name || !version) return []
      const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
      return [{ ...component('library', name, version, purl), ...seenAt(file) }]
    })
}

function seenAt(location) {
  return { evidence: { occurrences: [{ location }] } }
}

function osRelease() {
  if (!existsSync('/etc/os-release')) return {}
  const lines = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)="?([^"\n]*)"?$/gm)
  return Object.fromEntries([...lines].map(([, key, value]) => [key, value]))
}

/** Node, and the libraries that are compiled into it. */
function nodeItself() {
  const inside = ['openssl', 'uv', 'v8', 'zlib', 'nghttp2', 'llhttp', 'ares', 'sqlite', 'undici', 'icu']
  return [
    component('platform', 'node', process.versions.node, `pkg:generic/node@${process.versions.node}`),
    ...inside
      .filter(name => process.versions[name])
      .map(name => {
        const version = process.versions[name]
        return component('library', name, version, `pkg:generic/${name}@${encodeURIComponent(version)}`)
      }),
  ]
}

function component(type, name, version, purl) {
  return { type, 'bom-ref': purl, name, version, purl }
}
