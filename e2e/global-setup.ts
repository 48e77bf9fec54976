/**
 * Shell: brings the suite's world up before the first feature: images, two clusters, the chart.
 *
 * With E2E_KEEP=1 clusters that exist are used again and left standing at the end; images are
 * named by their content, so an unchanged one is not loaded twice and a changed one cannot be
 * mistaken for the old.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildImage, type Image, PROGRAMS, saveImage } from '../images/image.ts';
import { saveState } from './artifacts.ts';
import { installChart } from './chart.ts';
import {
  ARTIFACTS,
  type Cluster,
  connect,
  createCluster,
  deleteCluster,
  existingRegions,
  hasImage,
  loadImage,
  type Machine,
  REGIONS,
  type Region,
  routePods,
} from './cluster.ts';
import { findMachine } from './machine.ts';
import { openVolumes } from './volumes.ts';
import { say, writeWorld } from './world.ts';

export default async function globalSetup(): Promise<void> {
  const keep = process.env.E2E_KEEP === '1';
  const started = new Date().toISOString().replaceAll(':', '-').slice(0, 19);
  const artifacts = join(ARTIFACTS, started);
  mkdirSync(artifacts, { recursive: true });
  const machine = await findMachine();
  try {
    const images = PROGRAMS.map((program) => buildImage(machine.tool, program, 'dev'));
    say(`images: ${images.map((image) => `${image.name} ${megabytes(image)}`).join(', ')}`);
    const clusters: Cluster[] = [];
    const existing = await existingRegions(machine);
    for (const region of REGIONS) {
      clusters.push(await bringUp(machine, region, keep && existing.includes(region)));
    }
    await routePods(machine, clusters);
    for (const cluster of clusters) await openVolumes(machine, cluster);
    await load(machine, clusters, images);
    const [engine, operator] = images.map((image) => `${image.repository}:${image.contentTag}`);
    writeWorld({ artifacts, machine, images: { engine, operator }, keep });
    for (const cluster of clusters) await installChart(cluster, { engine, operator });
    say('the operators are ready');
  } catch (error) {
    // Jest runs no teardown after a failed setup.
    await saveState(join(artifacts, 'setup')).catch((problem) => say(`artifacts: ${problem}`));
    if (!keep) for (const region of REGIONS) await deleteCluster(machine, region);
    throw error;
  }
}

async function bringUp(machine: Machine, region: Region, reuse: boolean): Promise<Cluster> {
  if (reuse) {
    try {
      const cluster = await connect(region);
      say(`${cluster.name}: used again`);
      return cluster;
    } catch (error) {
      say(`meridian-${region} does not answer, made anew: ${(error as Error).message}`);
    }
  }
  const startedMs = performance.now();
  await createCluster(machine, region);
  const cluster = await connect(region);
  say(`${cluster.name}: made in ${Math.round((performance.now() - startedMs) / 1000)} s`);
  return cluster;
}

async function load(
  machine: Machine,
  clusters: readonly Cluster[],
  images: readonly Image[],
): Promise<void> {
  for (const image of images) {
    const name = `${image.repository}:${image.contentTag}`;
    const there = await Promise.all(clusters.map((cluster) => hasImage(machine, cluster, name)));
    if (there.every(Boolean)) continue;
    const archive = saveImage(machine.tool, image);
    for (const [index, cluster] of clusters.entries()) {
      if (!there[index]) await loadImage(machine, cluster, archive);
    }
    say(`${name}: loaded`);
  }
}

function megabytes(image: Image): string {
  return `${(image.bytes / 1e6).toFixed(0)} MB`;
}
