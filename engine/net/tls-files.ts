/**
 * Shell: certificates from files, read again while the process runs.
 *
 * Every few seconds, and at once on SIGHUP, the files are read and compared by content: mounted
 * secrets are swapped by symbolic links, which no file watcher sees reliably. New texts are taken
 * when certificate and key belong together and the certificate is in time; until then what was good
 * goes on to serve. So the moment between the two writes of a renewal does no harm. At the start an
 * expired certificate is taken with a complaint: others will refuse it, but what does not need it
 * (a region's own clients, when the peers' certificate has expired) is served.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { TlsFiles } from '../config.ts';
import type { Journal } from '../env.ts';
import { limits } from '../limits.ts';
import type { TlsMaterial } from './tls.ts';

export class TlsSource {
  private readonly files: TlsFiles;
  private readonly journal: Journal;
  private current: TlsMaterial;
  private complaint = '';
  private readonly timer: NodeJS.Timeout;
  private readonly hangup = () => this.reload();

  /** Throws, with words for people, when the files are no good. */
  constructor(files: TlsFiles, journal: Journal) {
    this.files = files;
    this.journal = journal;
    this.current = read(files);
    const expired = expiry(files, this.current);
    if (expired === null) this.report('certificate loaded');
    else journal.error({ reason: expired }, 'certificate loaded, but others will refuse it');
    this.timer = setInterval(() => this.reload(), limits.tlsReloadInterval.value);
    this.timer.unref();
    process.on('SIGHUP', this.hangup);
  }

  /** The newest good texts; the same object until they change. */
  readonly material = (): TlsMaterial => this.current;

  /** Reads the files; keeps what is held when they are no good. */
  reload(): void {
    try {
      const fresh = read(this.files);
      if (same(fresh, this.current)) {
        this.complaint = '';
        return;
      }
      const expired = expiry(this.files, fresh);
      if (expired !== null) throw new Error(expired);
      this.complaint = '';
      this.current = fresh;
      this.report('certificate reloaded; new connections use it');
    } catch (error) {
      const { message } = error as Error;
      // Once for each reason: a file that stays broken must not fill the journal.
      if (message === this.complaint) return;
      this.complaint = message;
      this.journal.error({ reason: message }, 'certificate not reloaded; the last good one serves');
    }
  }

  close(): void {
    clearInterval(this.timer);
    process.off('SIGHUP', this.hangup);
  }

  private report(message: string): void {
    const { subject, validTo } = new X509Certificate(this.current.cert);
    this.journal.info({ file: this.files.cert, subject, validTo }, message);
  }
}

function read(files: TlsFiles): TlsMaterial {
  const material = {
    cert: text(files.cert),
    key: text(files.key),
    ca: files.ca === null ? null : text(files.ca),
  };
  const certificate = parsed(files.cert, () => new X509Certificate(material.cert));
  const key = parsed(files.key, () => createPrivateKey(material.key));
  if (!certificate.checkPrivateKey(key)) {
    throw new Error(`${files.key} is not the key of the certificate in ${files.cert}`);
  }
  if (material.ca !== null) parsed(files.ca as string, () => new X509Certificate(material.ca!));
  parsed(files.cert, () => createSecureContext({ ...material, ca: material.ca ?? undefined }));
  return material;
}

/** That the certificate has expired, in words; null: it has not. */
function expiry(files: TlsFiles, { cert }: TlsMaterial): string | null {
  const { validTo } = new X509Certificate(cert);
  if (Date.parse(validTo) > Date.now()) return null;
  return `the certificate in ${files.cert} expired on ${validTo}`;
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`cannot read ${file}: ${(error as Error).message}`);
  }
}

function parsed<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Error(`${file} holds no usable PEM: ${(error as Error).message}`);
  }
}

function same(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}
