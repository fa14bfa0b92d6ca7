import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version in the product's package.json: the first one above this file, be it run from its source or from `dist`. */
export function productVersion(folder: string = __dirname): string {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) {
    if (dirname(folder) === folder) throw new Error('There is no package.json above the program.');
    return productVersion(dirname(folder));
  }
  const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    return String(manifest.version);
  throw new Error(`${path} has no version.`);
}
