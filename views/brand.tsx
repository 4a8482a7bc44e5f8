import { type Child, createContext, useContext } from 'hono/jsx'

/** How the operator presents the site to customers. Plain data, which survives JSON. */
export interface Brand {
  /** What the product is called. */
  name: string
  /** Null for the icon of Longhouse. */
  logo: Logo | null
  /** Null for the colours of Longhouse. */
  colours: Colours | null
  /** Where customers get help; null if the operator names no place. */
  support: Support | null
}

export interface Logo {
  type: 'image/svg+xml' | 'image/png'
  /** The whole file. */
  base64: string
  /** Width divided by height. */
  ratio: number
}

/** Hexadecimal colours, each on light pages and on dark ones. */
export interface Colours {
  /** Links and buttons. */
  accent: ByScheme
  /** The same under the pointer. */
  strong: ByScheme
  /** Text on a button. */
  onAccent: ByScheme
}

export type ByScheme = readonly [light: string, dark: string]

export interface Support {
  /** `mailto:` or `https:`. */
  href: string
  /** The address as people read it. */
  text: string
}

export const longhouse: Brand = { name: 'Longhouse', logo: null, colours: null, support: null }

/** True when the operator has set nothing. */
export function isUnbranded({ name, logo, colours, support }: Brand): boolean {
  return name === longhouse.name && !logo && !colours && !support
}

const context = createContext<Brand>(longhouse)

/** The brand of the site that is being rendered. */
export const useBrand = (): Brand => useContext(context)

/** Renders content for the site of this brand. */
export function Branded({ brand, children }: { brand: Brand; children?: Child }) {
  return <context.Provider value={brand}>{children}</context.Provider>
}

/** The names of the assets in which pages show a brand, and the content of those that Longhouse does not have itself. */
export function brandAssets(brand: Brand): {
  icon: string
  colours?: string
  added: { name: string; content: Buffer }[]
} {
  const { logo, colours } = brand
  const icon = { 'image/png': 'logo.png', 'image/svg+xml': 'logo.svg' } as const
  return {
    icon: logo ? icon[logo.type] : 'icon.svg',
    ...(colours && { colours: 'colours.css' }),
    added: [
      ...(logo ? [{ name: icon[logo.type], content: Buffer.from(logo.base64, 'base64') }] : []),
      ...(colours ? [{ name: 'colours.css', content: Buffer.from(`:root{${colourTokens(colours)}}`) }] : []),
    ],
  }
}

/** The tokens of the stylesheet that replace the colours of Longhouse. */
export function colourTokens(colours: Colours): string {
  const lines = [
    ['accent', colours.accent],
    ['accent-strong', colours.strong],
    ['on-accent', colours.onAccent],
  ] as const
  return lines.map(([name, [light, dark]]) => `--${name}:light-dark(${light},${dark})`).join(';')
}

/** The width of the logo at a height, in pixels. */
export function logoWidth({ logo }: Brand, height: number): number {
  return Math.round(height * (logo?.ratio ?? 1))
}

/** Where to ask for help; nothing where the operator names no place. */
export function SupportLink() {
  const { support } = useBrand()
  return support && <a href={support.href}>{support.text}</a>
}
