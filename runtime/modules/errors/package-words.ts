/** The package that a path lies in, the innermost one. */
const packageIn = (text: string) =>
  [...text.matchAll(/node_modules\/((?:@[^/\s]+\/)?[^/\s'"]+)\//g)].at(-1)?.[1] ?? null

/** What to do about a package that fails for something that is not there. The first rule that knows the message counts. */
const rules: readonly ((message: string) => string | false | null | undefined)[] = [
  message =>
    /Executable doesn't exist at|Could not find (Chrome|Chromium|Firefox|browser)|Browser was not found/i.test(
      message,
    ) &&
    'the browser is not there: no image has one, and packages cannot fetch theirs here. Connect to one elsewhere (chromium.connectOverCDP, puppeteer.connect), or name one of the system with executablePath',
  message => {
    const tried = /Could not locate the bindings file/.test(message)
    const missing = /Cannot find module '[^']*\.node'|No native build was found/.test(message)
    const name = (tried || missing) && (packageIn(message) ?? 'the package')
    return name && unbuilt(name)
  },
  message => {
    const built = /The module '([^']+)'\s+was compiled against a different Node\.js version/.exec(message)
    return (
      built &&
      `the native part of ${packageIn(built[1] ?? '') ?? 'a package'} was built for another Node than ${process.version}: take a version that supports it, and press Install now on the page of the jobs repo`
    )
  },
  message => {
    const name = /Could not load the "(sharp)" module/.exec(message)?.[1]
    return (
      name &&
      `the native part of ${name} for ${process.platform}-${process.arch} is not installed: package-lock.json leaves it out, as one made with --omit=optional does. Delete package-lock.json and save package.json, and it is made anew`
    )
  },
  message => {
    const engine =
      /Prisma Client could not locate the Query Engine|@prisma\/client did not initialize yet/.test(message)
    return (
      engine &&
      'the client that prisma generates is not there: use the generator "prisma-client" with an output in the jobs repo and a driver adapter, run npx prisma generate, and commit what it makes'
    )
  },
  message => {
    const library = /(lib[\w.+-]+\.so[\d.]*): cannot open shared object file/.exec(message)?.[1]
    return library && `the system has no ${library}, which the package needs; take one that brings its own`
  },
]

function unbuilt(name: string): string {
  return `the native part of ${name} is not there, because install scripts run only when they are allowed: add "allowScripts": { "${name}": true } to package.json, or take a version that comes with a built one`
}

/** What a customer can do about an error of a package, to be read before what the package says; null for any other. */
export function packageInWords(message: string): string | null {
  for (const rule of rules) {
    const words = rule(message)
    if (words) return words
  }
  return null
}
