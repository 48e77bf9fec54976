#!/bin/sh
# Makes the certificates of the tests anew: `sh engine/net/testdata/make-certificates.sh` (needs openssl 3).
# They are committed because a machine that runs the tests may have no openssl. All but `expired`
# are valid from 2024 to 2124; their keys are public and protect nothing.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# sign NAME KEY AUTHORITY EXTENSIONS START END, with further flags of `openssl ca`
sign() {
  name=$1 key=$2 authority=$3 extensions=$4 start=$5 end=$6
  shift 6
  openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$key"
  openssl req -new -key "$key" -subj "/CN=$name" -out "$work/$name.csr"
  mkdir -p "$work/$authority.db"
  : >>"$work/$authority.db/index"
  cat >"$work/$name.cnf" <<END
[ca]
default_ca = own
[own]
database = $work/$authority.db/index
new_certs_dir = $work/$authority.db
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = extensions
unique_subject = no
[any]
commonName = supplied
[extensions]
$extensions
END
  openssl ca -batch -notext -config "$work/$name.cnf" -keyfile "$work/$authority.key" \
    -in "$work/$name.csr" -out "$name.pem" -startdate "$start" -enddate "$end" "$@"
}

authority() {
  sign "$1" "$work/$1.key" "$1" 'basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign' 20240101000000Z 21240101000000Z -selfsign
}

# certificate NAME AUTHORITY SUBJECT-ALTERNATIVE-NAMES [END]
certificate() {
  sign "$1" "$1.key" "$2" "basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = $3" 20240101000000Z "${4:-21240101000000Z}" -cert "$2.pem"
}

# peer NAME REGION [AUTHORITY [END]]: of the databases `default` and `shop/carts`
peer() {
  uris="URI:meridian://default/region/$2,URI:meridian://shop/carts/region/$2"
  certificate "$1" "${3:-ca}" "$uris" "${4:-21240101000000Z}"
}

authority ca
authority other-ca
certificate server ca 'DNS:localhost,IP:127.0.0.1'
certificate server-renewed ca 'DNS:localhost,IP:127.0.0.1'
certificate client ca 'DNS:client'
certificate client-of-other-ca other-ca 'DNS:client'
peer peer-eu eu
peer peer-eu-renewed eu
peer peer-us us
peer peer-us-expired us ca 20240102000000Z
peer peer-us-of-other-ca us other-ca
certificate peer-us-of-other-database ca 'URI:meridian://shop/orders/region/us'
