/**
 * Shell: makes volumes writable for pods that do not run as root.
 *
 * kind's own provisioner makes directories that everybody may write. Node images that come with a
 * simpler one leave it to the kubelet, which makes them for root alone, and Kubernetes applies no
 * fsGroup to hostPath volumes. On such nodes systemd watches the folder and opens each directory
 * as it appears; a container starts some hundred milliseconds later.
 */
import type { Cluster, Machine } from './cluster.ts';
import { run } from './command.ts';

const FOLDER = '/var/local-volumes';

const SCRIPT = `
[ -x /usr/local/bin/local-volumes ] || exit 0
mkdir -p ${FOLDER}
cat >/etc/systemd/system/open-volumes.path <<END
[Path]
PathChanged=${FOLDER}
END
cat >/etc/systemd/system/open-volumes.service <<END
[Unit]
StartLimitIntervalSec=0
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'chmod 0777 ${FOLDER}/* || true'
END
systemctl daemon-reload
systemctl restart open-volumes.path
`;

/** Sees to it on every worker; does nothing where volumes are open anyway. */
export async function openVolumes(machine: Machine, cluster: Cluster): Promise<void> {
  const workers = cluster.nodes.filter(({ controlPlane }) => !controlPlane);
  for (const { name } of workers) {
    await run(machine.tool, ['exec', '-i', name, 'sh', '-e'], { input: SCRIPT });
  }
}
