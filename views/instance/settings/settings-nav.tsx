const parts = [
  { href: '/settings', label: 'Notices' },
  { href: '/settings/notices', label: 'Incidents' },
  { href: '/settings/tokens', label: 'API tokens' },
  { href: '/settings/sign-in', label: 'Sign-in' },
  { href: '/settings/disk', label: 'Disk' },
  { href: '/settings/audit', label: 'Audit log' },
] as const

/** The navigation between the pages of settings. */
export function SettingsNav({ current }: { current: (typeof parts)[number]['href'] }) {
  return (
    <nav class="tabs" aria-label="Settings">
      {parts.map(part => (
        <a href={part.href} aria-current={part.href === current ? 'page' : undefined}>
          {part.label}
        </a>
      ))}
    </nav>
  )
}
