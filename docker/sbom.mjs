// The bill of materials of an image, in CycloneDX 1.6: what its base consists of, and which npm packages are in it. It holds
// no time and no random number, so that the same content makes the same image.
//   node sbom.mjs base                                  the base's own: Debian packages and Node; in the first stage
//   node sbom.mjs image <name> <version> <base> <npm>   the whole, of two files with lists of components; in the last stage
import { existsSync, readFileSync } from 'node:fs'

const [what, ...args] = process.argv.slice(2)
if (what === 'base') print([...debianPackages(), ...nodeItself()])
else if (what === 'image') print(wholeBill(...args))
else throw new Error(`sbom.mjs makes a bill of a base or an image, not of "${what}"`)

function print(value) {
  process.stdout.write(`${JSON.stringify(value, null, 1)}\n`)
}

function wholeBill(name, version, baseFile, npmFile) {
  const components = [baseFile, npmFile].flatMap(file => JSON.parse(readFileSync(file, 'utf8')))
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

/** None where the base is not Debian's kind. */
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
    .map(({ Package: name, Version: version, Architecture: arch }) => {
      const where = `arch=${arch}${distro ? `&distro=${distro}` : ''}`
      return component(
        'library',
        name,
        version,
        `pkg:deb/${vendor}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?${where}`,
      )
    })
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
