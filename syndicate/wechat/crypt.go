package wechat

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// signature is how WeChat signs: the SHA-1 of the sorted values, one behind the other.
// With a message it is the msg_signature of its encrypted form.
func signature(values ...string) string {
	slices.Sort(values)
	sum := sha1.Sum([]byte(strings.Join(values, "")))
	return hex.EncodeToString(sum[:])
}

// same compares in a time that tells nothing.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// block is what messages are padded to (PKCS#7 with blocks of 32 bytes, twice those of AES).
const block = 32

// encrypt is a message as the secure mode wants it: AES-256-CBC of 16 random bytes, the
// length of the message in four bytes, the message and the AppID.
func encrypt(key []byte, random io.Reader, appID, message string) (string, error) {
	plain := make([]byte, 20, 20+len(message)+len(appID)+block)
	if _, err := io.ReadFull(random, plain[:16]); err != nil {
		return "", fmt.Errorf("encrypt message: %w", err)
	}
	binary.BigEndian.PutUint32(plain[16:], uint32(len(message)))
	plain = append(append(plain, message...), appID...)
	pad := block - len(plain)%block
	for range pad {
		plain = append(plain, byte(pad))
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return "", fmt.Errorf("encrypt message: %w", err)
	}
	cipher.NewCBCEncrypter(c, key[:aes.BlockSize]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain), nil
}

// errCrypt says no more, so that nothing can be learnt from how a forgery fails.
var errCrypt = errors.New("decrypt message: it is not one for this account")

// decrypt undoes encrypt. The message's signature must have been checked before.
func decrypt(key []byte, appID, text string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) == 0 || len(b)%aes.BlockSize != 0 {
		return "", errCrypt
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return "", fmt.Errorf("decrypt message: %w", err)
	}
	cipher.NewCBCDecrypter(c, key[:aes.BlockSize]).CryptBlocks(b, b)
	pad := int(b[len(b)-1])
	if pad < 1 || pad > block || pad > len(b)-20 {
		return "", errCrypt
	}
	b = b[:len(b)-pad]
	n := binary.BigEndian.Uint32(b[16:])
	if uint64(n) > uint64(len(b)-20) || !same(string(b[20+n:]), appID) {
		return "", errCrypt
	}
	return string(b[20 : 20+n]), nil
}
