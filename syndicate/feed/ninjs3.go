package feed

import "io"

func init() {
	register(Format{
		Ext:   "ninjs3",
		Name:  "ninjs 3.1",
		Type:  "application/json",
		About: "the same in the spelling of version 3",
		Spec:  "https://iptc.org/std/ninjs/",
		Write: func(w io.Writer, in Input) error {
			return writeNinjs(w, in, ninjs{version: "3.1"})
		},
	})
}
