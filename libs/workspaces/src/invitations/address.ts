/**
 * An address as it may be shown to somebody who has yet to prove that it is theirs: `a***@e***.com`. Enough to know
 * one's own again, too little to learn another's. The stars are always three, so that no length is told.
 */
export function maskedAddress(email: string): string {
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  const dot = domain.lastIndexOf('.');
  const ending = dot > 0 ? domain.slice(dot) : '';
  return `${firstOf(email.slice(0, at))}***@${firstOf(domain)}***${ending}`;
}

/** Whether two addresses are one mailbox to us: letter case does not tell them apart, everything else does. */
export function isSameAddress(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Whether an address is of one of the domains, exactly: neither `evil-acme.com` nor `eu.acme.com` is of `acme.com`. */
export function isOfDomain(email: string, domains: readonly string[]): boolean {
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
  return domains.some((allowed) => allowed.toLowerCase() === domain);
}

function firstOf(text: string): string {
  return Array.from(text)[0] ?? '';
}
