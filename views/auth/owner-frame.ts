import type { PageProps } from '../layout.tsx'

const parts = [
  { href: '/instances', label: 'Instances' },
  { href: '/billing', label: 'Plan' },
  { href: '/account', label: 'Account' },
] as const

/** The frame of an owner's pages. `current` is the section that the page belongs to. */
export function ownerFrame(current: string | null, title: string): PageProps {
  return {
    title,
    nav: parts.map(part => ({ ...part, current: part.href === current })),
    signOut: '/auth/sign-out',
  }
}
